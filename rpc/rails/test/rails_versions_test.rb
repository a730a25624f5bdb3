# frozen_string_literal: true

# The sides of what depends on the version of Rails that neither 6.1 nor 7.2 shows by itself.
class RailsVersionsTest < ActiveSupport::TestCase
  HealthConfig = Struct.new(:health_check_path)
  HealthServer = Struct.new(:config)

  test "only Rails >= 7.1 has a path for health checks, and only that path is one" do
    modern, old = HealthServer.new(HealthConfig.new("/up")), HealthServer.new(Object.new)

    assert Cablestay::RailsVersions.health_check?(modern, { "PATH_INFO" => "/up" })
    assert_not Cablestay::RailsVersions.health_check?(modern, { "PATH_INFO" => "/cable" })
    assert_not Cablestay::RailsVersions.health_check?(old, { "PATH_INFO" => "/up" })
  end

  test "without a path there is no health check, whatever is asked for" do
    assert_not Cablestay::RailsVersions.health_check?(HealthServer.new(HealthConfig.new(nil)), { "PATH_INFO" => "/cable" })
  end

  test "where routes are loaded when they are first needed, mounts are known all the same" do
    routes = ActionDispatch::Routing::RouteSet.new
    app = Class.new do
      define_method(:routes) { routes }
      define_method(:reload_routes_unless_loaded) { routes.draw { mount ActionCable.server => "/late" } }
    end.new

    assert_equal [ "/late" ], Cablestay::Mounts.of(app).map { |mount| mount[:path] }
  end

  test "timers are the executor's where the server has one, else the event loop's" do
    assert_equal :executor, Cablestay::RailsVersions.timers(Struct.new(:executor, :event_loop).new(:executor, :event_loop))
    assert_equal :event_loop, Cablestay::RailsVersions.timers(Struct.new(:event_loop).new(:event_loop))
  end

  test "the connection is opened the way that the installed seam asks for" do
    assert_equal ActionCable::Server.const_defined?(:Socket, false) ? "SocketCable" : "Cable", Cablestay::RailsVersions.cable.name.demodulize
  end

  test "an unsubscribed channel stays so between events, where Rails knows that" do
    connection = Cablestay::RailsVersions.cable.revive(*surroundings).connection
    channel = RoomChannel.new(connection, '{"channel":"RoomChannel"}', {})
    streams = Cablestay::Streams.new(nil, nil)

    assert_not Cablestay::Channels.saved(channel, streams).key?(:@unsubscribed)
    channel.instance_variable_set(:@unsubscribed, true)
    assert_equal true, Cablestay::Channels.saved(channel, streams)[:@unsubscribed]
    assert_not_includes Cablestay::Channels.ivars(channel).keys, :@unsubscribed
  end

  private
    def surroundings
      surroundings = Cablestay::Surroundings.new(ActionCable.server)
      [ surroundings.server, Cablestay::MiddlewareEnv.new({}, nil), surroundings.socket ]
    end
end
