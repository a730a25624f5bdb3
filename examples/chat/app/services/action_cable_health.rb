# frozen_string_literal: true

# What /health/cable reports: whether broadcasts can go out, and how much is connected.
#
# The counts are ActionCable.server's own: every socket of this Puma and, behind Cablestay, every socket of the bridge.
class ActionCableHealth
  class << self
    def check
      connected = redis_connected?
      {
        healthy: connected,
        redis: { connected: connected, url: sanitized_redis_url },
        connections: connections.size,
        subscriptions: connections.sum { |connection| connection.subscriptions.identifiers.size },
        timestamp: Time.current.iso8601
      }
    end

    private
      def connections
        ActionCable.server.connections
      end

      # Asks on the adapter's own connection: that is the one that broadcasts use.
      def redis_connected?
        ActionCable.server.pubsub.send(:redis_connection_for_broadcasts).ping == "PONG"
      rescue StandardError
        false
      end

      def sanitized_redis_url
        uri = URI.parse(ActionCable.server.config.cable[:url])
        uri.password = "[FILTERED]" if uri.password
        uri.to_s
      rescue StandardError
        "unknown"
      end
  end
end
