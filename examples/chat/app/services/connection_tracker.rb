# frozen_string_literal: true

# Which connections a user has, so that they can be shown and ended one by one: a remote disconnect needs
# every identifier of a connection, its id included.
class ConnectionTracker
  class << self
    def add(user:, connection_id:)
      $redis.hset(key(user), connection_id, Time.current.iso8601)
      $redis.expire(key(user), 1.day.to_i)
    end

    def remove(user:, connection_id:)
      $redis.hdel(key(user), connection_id)
    end

    def list(user)
      $redis.hgetall(key(user)).map { |id, connected_at| { id: id, connected_at: connected_at } }
    end

    # Works from any process: what travels is a broadcast on Action Cable's internal channel.
    def disconnect_all(user)
      list(user).each do |connection|
        ActionCable.server.remote_connections
          .where(current_user: user, current_account: user.account, connection_id: connection[:id]).disconnect
      end
    end

    private
      def key(user)
        "connections:user:#{user.id}"
      end
  end
end
