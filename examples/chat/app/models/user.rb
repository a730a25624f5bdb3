# frozen_string_literal: true

class User < ApplicationRecord
  belongs_to :account
  belongs_to :organization, optional: true
  has_many :members, dependent: :destroy
  has_many :chat_rooms, through: :members
  has_many :messages, dependent: :destroy
  has_many :notifications, foreign_key: :recipient_id, inverse_of: :recipient, dependent: :destroy
  has_many :sent_notifications, class_name: "Notification", foreign_key: :sender_id, inverse_of: :sender, dependent: :destroy

  has_secure_password

  validates :name, presence: true
  validates :email, presence: true, uniqueness: true

  def self.authenticate(email, password)
    find_by(email: email.to_s.strip.downcase)&.authenticate(password.to_s) || nil
  end

  # Changes with the password, so that old sessions end with it. The name is Devise's.
  def authenticatable_salt
    password_digest[0, 29]
  end

  def notifications_broadcasting
    "notifications_user_#{id}"
  end

  def dashboard_broadcasting
    "dashboard_user_#{id}"
  end

  def as_person
    { id: id, name: name, avatar_url: avatar_url }
  end
end
