# frozen_string_literal: true

class ChatRoom < ApplicationRecord
  has_many :members, dependent: :destroy
  has_many :users, through: :members
  has_many :messages, dependent: :destroy

  validates :name, presence: true

  def accessible_to?(user)
    members.exists?(user_id: user.id)
  end

  def broadcasting
    "chat_room_#{id}"
  end
end
