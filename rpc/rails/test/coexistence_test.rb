# frozen_string_literal: true

require "action_cable/channel/test_case"
require "action_cable/connection/test_case"
require "action_cable/test_helper"

# Rails' own test helpers work as if the gem were not there.
module CoexistenceTest
  class ChannelTest < ActionCable::Channel::TestCase
    tests RoomChannel

    setup { stub_connection(user: "ann") }

    test "subscribes, streams, transmits and broadcasts" do
      assert_broadcasts("room_a", 1) { subscribe(room: "a") }

      assert subscription.confirmed?
      assert_has_stream "room_a"
      assert_equal({ "members" => 1 }, transmissions.last)
      perform :speak, text: "hi"
      assert_equal({ "room" => "a", "text" => "hi", "spoken" => 1 }, transmissions.last)
    end

    test "rejects" do
      subscribe(room: "locked")
      assert subscription.rejected?
      assert_no_streams
    end
  end

  class ConnectionTest < ActionCable::Connection::TestCase
    tests ApplicationCable::Connection

    test "connects and rejects" do
      # The dummy's connect tags its log, which the stub of old Rails can do too.
      connect "/cable", params: { user: "ann" }
      assert_equal "ann", connection.user
      assert_reject_connection { connect "/cable" }
    end
  end

  class BroadcastTest < ActiveSupport::TestCase
    include ActionCable::TestHelper

    test "broadcasts are counted by the test adapter, from an event too" do
      assert_broadcast_on("room_b", { joined: "ann" }) do
        answer = Bridge.new.client.subscribe("RoomChannel", room: "b")
        assert_equal %w[ stream transmit broadcast confirm ], answer.kinds
      end
    end
  end

  class MarshalTest < ActiveSupport::TestCase
    test "outside of an event, Action Cable's objects can't be marshalled, as ever" do
      assert_raises(TypeError) { Marshal.dump(ActionCable.server) }
    end
  end
end
