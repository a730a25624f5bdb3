# frozen_string_literal: true

require_relative "support/living"

# A connect that comes along a link, next to one that comes as a request.
class ConnectLinkTest < ActiveSupport::TestCase
  include Living

  setup { @ids = 0 }

  test "it is answered as a request is" do
    assert_equal told(@bridge.connect(connection: "over-http")), told(connect)
  end

  test "what the app's middleware answers comes through unchanged" do
    %w[ redirect explode ].each { |query| assert_equal http(@bridge.connect(Bridge.handshake(query))), http(connect(Bridge.handshake(query))) }
    [ { path: "/nowhere" }, { headers: [ [ "Host", "example.test" ] ] } ].each do |handshake|
      handshake = Bridge.handshake.merge(handshake)
      assert_equal http(@bridge.connect(handshake)), http(connect(handshake))
    end
  end

  test "the middleware's thread is for nothing else, and connect's is for events" do
    with_connection(looking) do
      seen = nil
      @look = -> { seen = [ Thread.current[:left_by_middleware], Thread.current.thread_variable_get(:left_by_event), Cablestay::EventThreads.here? ] }
      again = 50.times.any? { connect && seen[1] } # another reader may have taken over
      assert again, "no two ran on one thread: this proves nothing"
      assert_equal [ nil, "left", true ], seen
    end
  end

  test "middleware does not see what channels leave in their threads" do
    seen = []
    Dummy::Doorman.around = ->(_env) { seen << [ Thread.current.thread_variable_get(:left_by_event), Cablestay::EventThreads.here?, Thread.current.group ] }
    with_connection(looking) { 3.times { assert_equal true, connect["accepted"] } }
    assert_equal [ [ nil, false, ThreadGroup::Default ] ], seen.uniq
  ensure
    Dummy::Doorman.around = nil
  end

  test "the middleware's execution of the app has ended when connect begins" do
    order = []
    Dummy::Doorman.around = ->(env) { env["rack.after_reply"] << -> { order << [ :replied, Thread.current ] } }
    @look = -> { order << [ :connect, Thread.current ] }
    with_connection(looking) { connect }
    assert_equal %i[ replied connect ], order.map(&:first).last(2)
    assert_equal 2, order.map(&:last).last(2).uniq.size
  ensure
    Dummy::Doorman.around = nil
  end

  test "a middleware that kills its thread fails the event, and the next one has another" do
    Dummy::Doorman.around = ->(_env) { Thread.current.kill }
    assert_equal 500, Timeout.timeout(10) { connect.status }
    Dummy::Doorman.around = nil
    assert_equal true, connect["accepted"]
  ensure
    Dummy::Doorman.around = nil
  end

  private
    def connect(handshake = Bridge.handshake)
      @bridge.ask_link("connect", bridge: @bridge.id, connection: "along-#{@ids += 1}", handshake: handshake, protocol: nil)
    end

    def looking
      test = self
      Class.new(@connection) do
        define_method(:connect) do
          super()
          test.look
          Thread.current.thread_variable_set(:left_by_event, "left")
        end
      end
    end

    def told(answer)
      answer.body.except("connection_state").merge("status" => answer.status)
    end

    # Without what is of one request alone.
    def http(answer)
      answer["http"].then { |http| http.merge("headers" => http["headers"].reject { |name, _| /request-id|runtime/i.match?(name) }) }
    end

  public

  def look
    @look&.call
  end
end
