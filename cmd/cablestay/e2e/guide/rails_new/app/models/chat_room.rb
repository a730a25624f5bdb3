# frozen_string_literal: true

class ChatRoom < ApplicationRecord
  has_many :members
  has_many :messages
end
