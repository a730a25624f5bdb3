# frozen_string_literal: true

module ClosingHistory
  class << self
    attr_accessor :lines
  end
end

class ClosingConnection < ActionCable::Connection::Base
  identified_by :user

  def connect
    self.user = "ann"
    @since = "connect"
  end

  def disconnect
    ClosingHistory.lines << "disconnect since #{@since}"
    raise "disconnect fails" if @fails
    transmit({ gone: true })
  end
end

class RejectingConnection < ClosingConnection
  def connect
    reject_unauthorized_connection
  end
end

class ClosingChannel < ApplicationCable::Channel
  def subscribed
    @n = params[:n]
    stream_from "closing-#{@n}"
  end

  def unsubscribed
    ClosingHistory.lines << "unsubscribed #{@n}"
    raise "unsubscribed #{@n} fails" if params[:fails]
    transmit({ left: @n })
    ActionCable.server.broadcast("closing-#{@n}", { left: @n })
  end
end

class DisconnectTest < ActiveSupport::TestCase
  setup do
    ClosingHistory.lines = []
    @before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { ClosingConnection }
    @client = Bridge.new.client
  end

  teardown { ActionCable.server.config.connection_class = @before }

  test "every unsubscribed runs in the order of the subscriptions, then disconnect" do
    3.times { |n| @client.subscribe("ClosingChannel", n: n) }
    log = Log.of { assert_equal({ "contract" => 1 }, @client.disconnect.body) }

    assert_equal [ "unsubscribed 0", "unsubscribed 1", "unsubscribed 2", "disconnect since connect" ], ClosingHistory.lines
    assert_match(/Finished "\/cable\/?\?user=ann" \[WebSocket\] for 192\.0\.2\.7/, log)
    assert_includes log, "ClosingChannel stopped streaming from closing-2"
  end

  test "the line at the end names the path as the one at the start does" do
    %w[ /cable /t/acme/cable ].each do |path|
      client = nil
      log = Log.of do
        client = Bridge.new.client(Bridge.handshake(path: path))
        client.subscribe("RoomChannel", room: 1)
        client.perform("RoomChannel", "speak", { room: 1 }, text: "in between")
        client.disconnect
      end
      started, finished = log.scan(/(?:Started GET|Finished) "(\S+)" ?\[WebSocket\]/).flatten

      assert_equal started, finished
      assert_match path, started
    end
  end

  test "one that raises is logged and does not stop the others" do
    @client.subscribe("ClosingChannel", n: 0, fails: true)
    @client.subscribe("ClosingChannel", n: 1)
    log = Log.of { assert_equal 200, @client.disconnect.status }

    assert_equal [ "unsubscribed 0", "unsubscribed 1", "disconnect since connect" ], ClosingHistory.lines
    assert_includes log, "There was an exception - RuntimeError(unsubscribed 0 fails)"
  end

  test "a rejected connection's disconnect runs too" do
    ActionCable.server.config.connection_class = -> { RejectingConnection }
    client = Bridge.new.client
    assert_equal false, client.opened["accepted"]
    client.disconnect

    assert_equal [ "disconnect since " ], ClosingHistory.lines
  end

  test "a subscription whose state can't be read does not stop the others" do
    2.times { |n| @client.subscribe("ClosingChannel", n: n) }
    @client.states[@client.identifier("ClosingChannel", n: 0)] = "tampered"
    log = Log.of { assert_equal 200, @client.disconnect.status }

    assert_equal [ "unsubscribed 1", "disconnect since connect" ], ClosingHistory.lines
    assert_includes log, "can't restore {\"channel\":\"ClosingChannel\",\"n\":0} to run its unsubscribed"
  end

  test "a connection whose state can't be read is answered, and logged" do
    @client.state = "tampered"
    log = Log.of { assert_equal({ "contract" => 1 }, @client.disconnect.body) }

    assert_equal [], ClosingHistory.lines
    assert_includes log, "can't restore a connection to run its disconnect"
  end

  test "a disconnect that is repeated runs once" do
    @client.subscribe("ClosingChannel", n: 0)
    2.times { assert_equal 200, @client.disconnect(id: "the-same-disconnect").status }

    assert_equal [ "unsubscribed 0", "disconnect since connect" ], ClosingHistory.lines
  end

  test "an unsubscribe that is repeated runs once and is answered the same" do
    @client.subscribe("ClosingChannel", n: 0)
    identifier = @client.identifier("ClosingChannel", n: 0)
    state = @client.states[identifier]
    answers = Array.new(2) { @client.command("unsubscribe", identifier, id: "the-same-unsubscribe", state: state).body }

    assert_equal [ "unsubscribed 0" ], ClosingHistory.lines
    assert_equal answers.first, answers.last
    assert_equal %w[ transmit stop_stream ], answers.first["effects"].map { |effect| effect["effect"] }
  end

  test "an unsubscribe that raises keeps the subscription, as in stock" do
    @client.subscribe("ClosingChannel", n: 0, fails: true)
    answer = nil
    log = Log.of { answer = @client.unsubscribe("ClosingChannel", n: 0, fails: true) }

    assert_equal [ true, [] ], [ answer["subscribed"], answer.effects ]
    assert_includes log, "RuntimeError - unsubscribed 0 fails"
  end
end
