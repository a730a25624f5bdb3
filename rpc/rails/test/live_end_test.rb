# frozen_string_literal: true

require_relative "support/living"

class LeavingChannel < ApplicationCable::Channel
  class << self
    attr_accessor :leaving, :go_on
  end

  def subscribed
    @lock = Mutex.new
  end

  def unsubscribed
    self.class.leaving << true
    self.class.go_on.pop
  end
end

class LiveEndTest < ActiveSupport::TestCase
  include Living

  test "when the bridge is gone, unsubscribed runs and the streams are left" do
    attach(subscribe_live("BlockStreamChannel", n: 7))
    await { subscribers("live-block") == 1 }
    @bridge.close

    assert_equal [ 7, 0 ], BlockStreamChannel.left.pop
    await { subscribers("live-block").zero? }
    assert_nil Cablestay::Live::Holds.find(@live["hold"])
  end

  test "a partial disconnect runs what is held here, and no more" do
    attach(subscribe_live("BlockStreamChannel", n: 8))
    answer = @bridge.ask_link("disconnect", **live_members, partial: true, subscriptions: [ { identifier: @identifier, state: "" } ])
    assert_equal 200, answer.status
    assert_equal [ 8, 0 ], BlockStreamChannel.left.pop
    assert_nil Cablestay::Live::Holds.find(@live["hold"])
  end

  test "unsubscribed runs once, also where the link ends while it does" do
    LeavingChannel.leaving, LeavingChannel.go_on = Queue.new, Queue.new
    attach(subscribe_live("LeavingChannel"))
    hold = Cablestay::Live::Holds.find(@live["hold"])
    @bridge.send_line(event: "unsubscribe", request: { contract: 1, id: Bridge.next_id, **live_members, identifier: @identifier })
    LeavingChannel.leaving.pop
    @bridge.close
    LeavingChannel.go_on << true
    hold.abandon # what the end of the link has begun

    assert LeavingChannel.leaving.empty?
  ensure
    LeavingChannel.go_on.close
  end
end
