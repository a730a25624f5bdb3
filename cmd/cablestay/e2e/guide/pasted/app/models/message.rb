# app/models/message.rb

class Message < ApplicationRecord
  belongs_to :chat_room
  belongs_to :user
  
  after_create_commit :broadcast_message
  after_update_commit :broadcast_update
  after_destroy_commit :broadcast_deletion
  
  private
  
  def broadcast_message
    ActionCable.server.broadcast(
      "chat_room_#{chat_room_id}",
      {
        type: 'new_message',
        message: as_broadcast_json
      }
    )
  end
  
  def broadcast_update
    ActionCable.server.broadcast(
      "chat_room_#{chat_room_id}",
      {
        type: 'message_updated',
        message: as_broadcast_json
      }
    )
  end
  
  def broadcast_deletion
    ActionCable.server.broadcast(
      "chat_room_#{chat_room_id}",
      {
        type: 'message_deleted',
        message_id: id
      }
    )
  end
  
  def as_broadcast_json
    {
      id: id,
      content: content,
      user_id: user_id,
      user_name: user.name,
      created_at: created_at.iso8601,
      updated_at: updated_at.iso8601
    }
  end
end
