# app/services/broadcast_service.rb

class BroadcastService
  class << self
    # Broadcast to multiple streams efficiently
    def broadcast_to_many(stream_names, message)
      return if stream_names.empty?
      
      # Use Redis pipeline for efficiency
      ActionCable.server.pubsub.redis_connection_for_broadcasts.pipelined do |pipeline|
        stream_names.each do |stream_name|
          channel_with_prefix = ActionCable.server.pubsub.send(
            :channel_with_prefix,
            stream_name
          )
          pipeline.publish(channel_with_prefix, message.to_json)
        end
      end
    end
    
    # Broadcast to all users in an organization
    def broadcast_to_organization(organization, message)
      stream_names = organization.users.pluck(:id).map do |user_id|
        "notifications_user_#{user_id}"
      end
      
      broadcast_to_many(stream_names, message)
    end
    
    # Broadcast to all members of a chat room
    def broadcast_to_room(room, message)
      ActionCable.server.broadcast("chat_room_#{room.id}", message)
    end
  end
end
