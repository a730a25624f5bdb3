# frozen_string_literal: true

require_relative "support/living"

class LiveConnectionsTest < ActiveSupport::TestCase
  include Living

  test "ActionCable.server.connections has the bridge's, as the bridge answers" do
    connections = Thread.new { ActionCable.server.connections }
    ask = @bridge.receive
    assert_equal [ "connections", false ], ask.values_at("ask", "states")
    @bridge.send_line(id: ask["id"], connections: [ { connection: "connection-1", connection_identifier: "ann", subscriptions: [ "{}" ] } ])
    connection = connections.value.first
    assert_equal [ "ann", [ "{}" ] ], [ connection.connection_identifier, connection.subscriptions.identifiers ]

    statistics = Thread.new { [ connection.user, connection.statistics ] }
    ask = @bridge.receive
    assert_equal true, ask["states"]
    @bridge.send_line(id: ask["id"], connections: [ { connection: "connection-1", connection_identifier: "ann", subscriptions: [ "{}" ], connection_state: @client.state } ])
    user, statistics = statistics.value
    assert_equal "ann", user
    assert_equal [ "ann", [ "{}" ] ], statistics.values_at(:identifier, :subscriptions)
    assert_in_delta Time.now, statistics[:started_at], 60
    assert_kind_of String, statistics[:request_id]
  end

  test "a restart is told to the bridge" do
    ActionCable.server.restart
    assert_equal({ "restart" => true }, @bridge.receive)
  end
end
