# frozen_string_literal: true

# A database with room for one: whoever has its connection keeps all others waiting.
class TightRecord < ActiveRecord::Base
  self.abstract_class = true
  establish_connection(adapter: "sqlite3", database: ENV.fetch("DUMMY_DATABASE"), pool: 1, checkout_timeout: 2)
end

class Tight < TightRecord
  self.table_name = "sqlite_master"
end

class PoolChannel < ActionCable::Channel::Base
  def look
    transmit({ count: Tight.count })
  end

  def fail
    Tight.count
    raise "after a query"
  end
end

# Events take their database connections as jobs of Action Cable's worker pool do, and give them back.
class ConnectionPoolTest < ActiveSupport::TestCase
  setup { @pool = TightRecord.connection_pool }

  test "the connection is back in the pool after each event, also after one that raised" do
    client = Bridge.new.client
    client.subscribe("PoolChannel")
    client.perform("PoolChannel", "look")
    assert_equal [ 0, 1 ], @pool.stat.values_at(:busy, :idle)

    client.perform("PoolChannel", "fail")
    assert_equal [ 0, 1 ], @pool.stat.values_at(:busy, :idle)
  end

  test "the middleware gets the connection of an event that asks for the request" do
    env, count = in_event { |middleware_env| Tight.count; [ middleware_env.full, Tight.count ] }

    assert_equal "seen with a query", env["pool_test"]
    assert_kind_of Integer, count
  end

  test "an event keeps a connection that nobody waits for" do
    kept = in_event(queries: false) do |middleware_env|
      before = TightRecord.connection
      middleware_env.full
      TightRecord.connection.equal?(before)
    end
    assert kept
  end

  test "an event keeps a connection that is in a transaction: the middleware then fails, and says why" do
    in_event do |middleware_env|
      Tight.transaction do
        Tight.connection.execute("SELECT 1")
        assert_raises(ActiveRecord::ConnectionTimeoutError) { middleware_env.full }
        assert Tight.connection.transaction_open?
      end
    end
  end

  private
    # The middleware of this app asks the database.
    def in_event(queries: true)
      app = lambda do |env|
        Rails.application.executor.wrap do
          Tight.count if queries
          env["pool_test"] = "seen with a query"
        end
        Rails.application.call(env)
      end
      raw = Cablestay::Handshake.new(JSON.parse(JSON.generate(Bridge.handshake))).env({})
      Cablestay.event_threads.run { Cablestay.execution { yield Cablestay::MiddlewareEnv.new(raw, app) } }
    end
end
