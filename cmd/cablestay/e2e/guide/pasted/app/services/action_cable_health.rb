# app/services/action_cable_health.rb

class ActionCableHealth
  class << self
    def check
      {
        healthy: healthy?,
        redis: redis_status,
        connections: connection_count,
        subscriptions: subscription_count,
        timestamp: Time.current.iso8601
      }
    end

    def healthy?
      redis_connected?
    end

    private

    def redis_connected?
      ActionCable.server.pubsub.redis_connection_for_subscriptions.ping == 'PONG'
    rescue StandardError
      false
    end

    def redis_status
      {
        connected: redis_connected?,
        url: sanitized_redis_url
      }
    rescue StandardError => e
      { connected: false, error: e.message }
    end

    def connection_count
      ActionCable.server.connections.size
    end

    def subscription_count
      ActionCable.server.connections.sum do |connection|
        connection.subscriptions.identifiers.size
      end
    end

    def sanitized_redis_url
      url = ActionCable.server.config.cable[:url]
      uri = URI.parse(url)
      uri.password = '[FILTERED]' if uri.password
      uri.to_s
    rescue StandardError
      '[UNKNOWN]'
    end
  end
end
