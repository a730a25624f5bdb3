# frozen_string_literal: true

# One message to many broadcastings with one trip to Redis. It uses the connection and the prefix of Action
# Cable's own Redis adapter, so what it publishes looks like any other broadcast.
class BroadcastService
  class << self
    def broadcast_to_many(broadcastings, message)
      return if broadcastings.empty?

      pubsub = ActionCable.server.pubsub
      payload = ActiveSupport::JSON.encode(message)

      if redis?(pubsub)
        # Private in the adapter, and its only way to a pipeline.
        pubsub.send(:redis_connection_for_broadcasts).pipelined do |pipeline|
          broadcastings.each { |name| pipeline.publish(pubsub.send(:channel_with_prefix, name), payload) }
        end
      else
        broadcastings.each { |name| pubsub.broadcast(name, payload) }
      end
    end

    def broadcast_to_organization(organization, message)
      broadcast_to_many(organization.users.map(&:notifications_broadcasting), message)
    end

    def broadcast_to_room(room, message)
      ActionCable.server.broadcast(room.broadcasting, message)
    end

    private
      def redis?(pubsub)
        pubsub.class.name == "ActionCable::SubscriptionAdapter::Redis"
      end
  end
end
