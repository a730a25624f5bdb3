# frozen_string_literal: true

# The guide's connection with several identifiers calls it and does not show it.
class ConnectionTracker
  class << self
    def add(user_id:, connection_id:, connected_at:)
      $redis.hset("connections", connection_id, { user_id: user_id, connected_at: connected_at.iso8601 }.to_json)
    end

    def remove(connection_id)
      $redis.hdel("connections", connection_id)
    end
  end
end
