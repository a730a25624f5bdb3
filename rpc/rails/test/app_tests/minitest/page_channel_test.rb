# frozen_string_literal: true

class PageChannelTest < ActionCable::Channel::TestCase
  setup { stub_connection(current_user: User.new(7, "user 7")) }

  test "subscribes and streams" do
    subscribe page: 1

    assert subscription.confirmed?
    assert_has_stream "page_1"
    assert_equal [ "page_1" ], subscription.streams
    assert_equal({ "page" => 1 }, subscription.params.except("channel"))
  end

  test "rejects, and has no streams" do
    subscribe

    assert subscription.rejected?
    assert_no_streams
  end

  test "streams for a model" do
    subscribe page: 1, mine: true
    assert_has_stream_for User.new(7)
  end

  test "a stream with a block and a coder counts as a stream" do
    subscribe page: 1, notes: true
    assert_equal %w[ page_1 notes ], subscription.streams
  end

  test "transmissions are kept in order" do
    subscribe page: 1, steps: true
    assert_equal [ { "step" => "before" }, { "opened" => 1 } ], transmissions
  end

  test "performs, with instance variables that stay" do
    subscribe page: 1
    perform :write, text: "one"
    perform :write, text: "two"

    assert_equal({ "lines" => %w[ one two ] }, transmissions.last)
    assert_equal %w[ one two ], subscription.instance_variable_get(:@lines)
  end

  test "receive gets what has no action" do
    subscribe page: 1
    perform :receive, text: "plain"
    assert_equal({ "received" => "plain" }, transmissions.last)
  end

  test "broadcasts are asserted by stream and by model" do
    subscribe page: 1
    assert_broadcast_on("page_1", { by: "user 7", text: "hello" }) { perform :write, text: "hello" }
    assert_broadcast_on(User.new(7), { written: "hello" }) { perform :write, text: "hello" }
    assert_broadcasts("page_1", 2) { 2.times { perform :write, text: "again" } }
    assert_broadcasts("page_1", 4)
    assert_no_broadcasts("page_2") { perform :write, text: "elsewhere" }
    assert_raises(Minitest::Assertion) { assert_broadcasts("page_1", 3) { perform :write, text: "only once" } }
    assert_raises(Minitest::Assertion) { assert_broadcast_on("page_1", { text: "other" }) { perform :write, text: "hello" } }
  end

  if method_defined?(:capture_broadcasts)
    test "broadcasts are captured" do
      subscribe page: 1
      captured = capture_broadcasts("page_1") { perform :write, text: "hello" }
      assert_equal [ { "by" => "user 7", "text" => "hello" } ], captured
    end
  end

  if method_defined?(:assert_has_no_stream)
    test "a stream that there is not" do
      subscribe page: 1
      assert_has_no_stream "page_2"
      assert_has_no_stream_for User.new(7)
    end
  end

  test "streams are stopped and begun in an action" do
    subscribe page: 1
    perform :turn, page: 2
    assert_equal [ "page_2" ], subscription.streams
  end

  test "unsubscribes, with the callbacks" do
    subscribe page: 9
    assert_difference(-> { PageChannel.ended.count(9) }) { unsubscribe }
    assert_no_streams
  end

  test "timers do not tick, as ever in channel tests" do
    subscribe page: 1
    assert_empty subscription.send(:active_periodic_timers)
    assert_equal 1, PageChannel.periodic_timers.size
  end

  test "a private method and one of Rails' can't be performed" do
    subscribe page: 1
    perform :transmit, text: "no"
    assert_empty transmissions
  end
end

class LoudChannelTest < ActionCable::Channel::TestCase
  test "an override of transmit sees what is transmitted" do
    subscribe
    perform :say, text: "quiet"
    assert_equal [ { "text" => "QUIET" } ], transmissions
    assert_has_stream "loud"
  end
end
