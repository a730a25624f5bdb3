# frozen_string_literal: true

class User < ApplicationRecord
  belongs_to :organization, optional: true
  belongs_to :account, optional: true
  has_many :notifications, foreign_key: :recipient_id
  has_many :sent_notifications, class_name: "Notification", foreign_key: :sender_id
end
