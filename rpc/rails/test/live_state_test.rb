# frozen_string_literal: true

require_relative "support/living"

class TallyChannel < ApplicationCable::Channel
  def add(data)
    connection.seen += [ data["n"] ]
  end
end

class LiveStateTest < ActiveSupport::TestCase
  include Living

  test "instance variables that can't travel stay where they are" do
    answer = subscribe_live("ProcKeepingChannel")
    assert_equal "@adder (Proc), @lock (#{Mutex.name})", answer["live"]["why"]
    assert_equal "", answer["state"]
    assert_includes answer.kinds, "confirm"

    attach(answer)
    assert_equal [ { "sum" => 42 } ], perform_live("add", n: 41).messages
  end

  test "a connection with one is held as a whole" do
    with_connection(keeping_procs) do
      attach(subscribe_live("ProcKeepingChannel"))
      answer = perform_live("leave_a_proc_behind")
      assert_equal true, answer["live"]["connection"]
      assert_equal [ { "connection" => "kept" } ], perform_live("ask_connection").messages

      other = @bridge.ask_link("subscribe", **live_members, identifier: '{"channel":"PlainChannel"}')
      assert_equal true, other["subscribed"]
      assert_equal answer["live"]["hold"], other["live"]["hold"]
    end
  end

  test "a connection whose connect keeps what can't travel is held from then on" do
    with_connection(keeping_procs { keep { :from_connect } }) do
      @client = @bridge.client(connection: "connection-2")
      @live = @client.opened["live"]
      assert_equal true, @live["connection"]
      attach(@client.opened)
      @bridge.ask_link("subscribe", **live_members, connection: "connection-2", identifier: identifier("ProcKeepingChannel"))
      answer = @bridge.ask_link("perform", **live_members, connection: "connection-2", identifier: identifier("ProcKeepingChannel"), data: '{"action":"ask_connection"}')
      assert_equal [ { "connection" => "from_connect" } ], answer.messages
    end
  end

  test "changes of the connection that other events have made are seen by a living channel, and its own stay" do
    with_connection(Class.new(@connection) { attr_accessor :seen, :here }) do
      attach(subscribe_live("BlockStreamChannel"))
      channel = Cablestay::Live::Holds.find(@live["hold"]).cable.table.values.first
      channel.connection.here = "here"
      @client.subscribe("PlainChannel") # travels
      @client.state = changed_elsewhere { |connection| connection.seen = "elsewhere" }
      perform_live("count")

      assert_equal [ "elsewhere", "here" ], [ channel.connection.seen, channel.connection.here ]
      live("unsubscribe")
    end
  end

  test "a state that the living connection has had before says nothing new" do
    with_connection(Class.new(keeping_procs { keep { 1 }; self.seen = [] }) { attr_accessor :seen }) do
      @client = @bridge.client(connection: "connection-2")
      @live = @client.opened["live"]
      attach(@client.opened)
      members = { **live_members, connection: "connection-2" } # the state of the handshake, for all of them
      2.times { |n| @bridge.ask_link("subscribe", **members, identifier: identifier("TallyChannel", n: n)) }
      2.times { |n| @bridge.ask_link("perform", **members, identifier: identifier("TallyChannel", n: n), data: JSON.generate({ action: "add", n: n })) }

      assert_equal [ 0, 1 ], Cablestay::Live::Holds.find(@live["hold"]).cable.connection.seen
    end
  end
end
