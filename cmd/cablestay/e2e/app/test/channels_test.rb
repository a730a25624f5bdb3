# frozen_string_literal: true

# What an app's own tests may use of Action Cable. Run without the gem and with it; no bridge is running.
require "minitest/autorun"
require_relative "../config/environment"
require "active_support/test_case"
require "action_cable/test_case"

class AppearancesChannelTest < ActionCable::Channel::TestCase
  tests Chats::AppearancesChannel

  def test_is_confirmed_and_streams_for_a_member
    subscribe member: "1"
    assert_predicate subscription, :confirmed?
    assert_has_stream_for Member.find("1")
    perform :named
    assert_equal({ "channel" => "chats:appearances", "broadcasting" => "chats:appearances:x" }, transmissions.last)
    unsubscribe
    assert_no_streams
  end

  def test_is_rejected_without_a_member
    subscribe
    assert_predicate subscription, :rejected?
  end

  def test_broadcasts_to_a_member
    assert_broadcast_on(Chats::AppearancesChannel.broadcasting_for(Member.find("1")), { seen: true }) do
      Chats::AppearancesChannel.broadcast_to(Member.find("1"), { seen: true })
    end
  end
end

class PresenceChannelTest < ActionCable::Channel::TestCase
  setup { stub_connection(user: "ann", device: "phone") }

  def test_broadcasts_who_joined
    assert_broadcast_on("presence_lobby", { joined: "phone" }) { subscribe room: "lobby" }
    assert_has_stream "presence_lobby"
  end
end

class WrappingChannelTest < ActionCable::Channel::TestCase
  setup { stub_connection(user: "ann", device: "phone") }

  def test_transmits
    subscribe room: "r"
    perform :say, text: "hello"
    assert_equal({ "wrapped" => { "said" => "hello" }, "via" => nil, "sent" => 1, "for" => "phone" }, transmissions.last)
  end
end

class LambdaTimerChannelTest < ActionCable::Channel::TestCase
  tests Timers::LambdaChannel

  def test_starts_no_timer
    subscribe
    assert_predicate subscription, :confirmed?
    assert_empty transmissions
  end
end

class DeferringChannelTest < ActionCable::Channel::TestCase
  tests(Class.new(ActionCable::Channel::Base) do
    def subscribed
      defer_subscription_confirmation!
    end

    def confirm
      ensure_confirmation_sent
    end
  end)

  def test_is_confirmed_by_an_action
    subscribe
    assert_not_predicate subscription, :confirmed?
    perform :confirm
    assert_predicate subscription, :confirmed?
  end
end

class VisitorConnection < ActionCable::Connection::Base
  identified_by :user

  def connect
    self.user = cookies.encrypted[:user] || request.params[:guest] || reject_unauthorized_connection
  end

  def disconnect
    Journal.record({ event: "disconnect", device: "a test of connections" })
  end
end

class VisitorConnectionTest < ActionCable::Connection::TestCase
  tests VisitorConnection

  def test_connects_with_a_cookie
    cookies.encrypted[:user] = "ann"
    connect
    assert_equal "ann", connection.user
    disconnect
  end

  def test_connects_with_a_parameter
    connect params: { guest: "bob" }
    assert_equal "bob", connection.user
    assert_equal "bob", connection.connection_identifier
  end

  def test_rejects_everyone_else
    assert_reject_connection { connect }
  end
end

class BroadcastsTest < ActionCable::TestCase
  def test_counts_broadcasts
    assert_no_broadcasts "numbers"
    assert_broadcasts "numbers", 2 do
      2.times { |number| ActionCable.server.broadcast("numbers", number) }
    end
    assert_broadcasts "numbers", 2
  end

  def test_captures_broadcasts
    skip "capture_broadcasts came with Rails 7.1" unless respond_to?(:capture_broadcasts)

    assert_equal [ { "a" => 1 }, "b" ], capture_broadcasts("letters") {
      ActionCable.server.broadcast("letters", { a: 1 })
      ActionCable.server.broadcast("letters", "b")
    }
  end
end
