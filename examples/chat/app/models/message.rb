# frozen_string_literal: true

class Message < ApplicationRecord
  TYPES = %w[text image file].freeze
  MAX_LENGTH = 10_000

  belongs_to :chat_room
  belongs_to :user

  validates :content, presence: true, length: { maximum: MAX_LENGTH }
  validates :message_type, inclusion: { in: TYPES }

  after_create_commit -> { broadcast_to_room type: "new_message", message: as_broadcast }
  after_update_commit -> { broadcast_to_room type: "message_updated", message: as_broadcast }
  after_destroy_commit -> { broadcast_to_room type: "message_deleted", message_id: id }

  def as_broadcast
    {
      id: id,
      content: content,
      message_type: message_type,
      user_id: user_id,
      user_name: user.name,
      user_avatar: user.avatar_url,
      read_at: read_at&.iso8601,
      created_at: created_at.iso8601,
      updated_at: updated_at.iso8601
    }
  end

  private
    def broadcast_to_room(payload)
      ActionCable.server.broadcast(chat_room.broadcasting, payload)
    end
end
