# frozen_string_literal: true

require_relative "support/linked_bridge"

# What Rails' main branch does otherwise, and the gem with it. On the shape of that branch only: bin/test --seam main.
class MainSeamTest < ActiveSupport::TestCase
  class RefusingChannel < ApplicationCable::Channel
    before_subscribe :reject

    def subscribed
      transmit({ never: true })
    end
  end

  class WorkingChannel < ApplicationCable::Channel
    def work
      connection.perform_work(self, :tell, 2)
      tell(1)
    end

    def whereabouts
      transmit({ ip: connection.request.remote_ip, warden: connection.env["warden"].class.name, protocol: connection.protocol })
    end

    def fail
      raise KeyError, "rescued by the connection"
    end

    private
      def tell(number)
        transmit({ number: number })
      end
  end

  class Connection < ApplicationCable::Connection
    rescue_from(KeyError) { |error| transmit({ rescued: error.message }) }
    around_command :noting if respond_to?(:around_command)

    private
      def connect
        super
      end

      def noting
        transmit({ before: true })
        yield
        transmit({ after: true })
      end
  end

  if ActionCable::Server.const_defined?(:Socket, false)
    setup do
      @client = client
    end

    test "a reject before subscribe is a reject, and subscribed does not run" do
      assert_equal [ "reject" ], @client.subscribe(RefusingChannel).kinds
    end

    test "work that a connection is given runs at the end of the event" do
      @client.subscribe(WorkingChannel)
      assert_equal [ 1, 2 ], @client.perform(WorkingChannel, "work").messages.map { |message| message["number"] }
    end

    test "a later event has the request of the handshake, with what middleware put there" do
      @client.subscribe(WorkingChannel)
      assert_equal [ { "ip" => "192.0.2.7", "warden" => "Dummy::Doorman::Proxy", "protocol" => nil } ], @client.perform(WorkingChannel, "whereabouts").messages
    end

    test "an error that the connection rescues is not logged; callbacks are around each command; a private connect is called" do
      answer = nil
      with_connection(Connection) do
        @client = client
        assert_equal "ann", @client.opened["connection_identifier"]
        @client.subscribe(WorkingChannel)
        log = Log.of { answer = @client.perform(WorkingChannel, "fail") }
        assert_not_includes log, "Could not"
      end
      assert_equal [ { "before" => true }, { "rescued" => "rescued by the connection" } ], answer.frames
    end

    test "X-Forwarded-Host is the host that an origin is compared with" do
      forwarded = [ [ "X-Forwarded-Host", "outside.test" ] ]
      assert_equal 404, Bridge.new.connect(Bridge.handshake(headers: forwarded))["http"]["status"]
    end

    test "each_connection has the bridge's connections too" do
      bridge = LinkedBridge.new
      bridge.ask("link")
      seen = []
      asking = Thread.new { ActionCable.server.each_connection { |connection| seen << connection.connection_identifier } }
      ask = bridge.receive
      bridge.send_line(id: ask["id"], connections: [ { connection: "c", connection_identifier: "ann", subscriptions: [] } ])
      asking.join
      assert_equal [ "ann" ], seen
    ensure
      bridge.close
    end
  end

  private
    def client
      Bridge.new.client
    end

    def with_connection(type)
      before = ActionCable.server.config.connection_class
      ActionCable.server.config.connection_class = -> { type }
      yield
    ensure
      ActionCable.server.config.connection_class = before
    end
end
