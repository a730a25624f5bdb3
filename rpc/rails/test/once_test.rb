# frozen_string_literal: true

class OnceTest < ActiveSupport::TestCase
  test "a key runs once and answers the same each time" do
    once = Cablestay::Once.new(10)
    runs = 0

    assert_equal [ 1, 1 ], Array.new(2) { once.run("a") { runs += 1 } }
    assert_equal 2, once.run("b") { runs += 1 }
  end

  test "a call that comes while the first one runs waits for its answer" do
    once = Cablestay::Once.new(10)
    running, go_on = Queue.new, Queue.new
    first = Thread.new { once.run("a") { running << true; go_on.pop } }
    running.pop
    second = Thread.new { once.run("a") { flunk "ran twice" } }
    go_on << "the answer"

    assert_equal [ "the answer", "the answer" ], [ first.value, second.value ]
  end

  test "what raised may be run again" do
    once = Cablestay::Once.new(10)

    assert_raises(ArgumentError) { once.run("a") { raise ArgumentError } }
    assert_equal "fine", once.run("a") { "fine" }
  end

  test "only the last keys are remembered" do
    once = Cablestay::Once.new(2)
    runs = []
    %w[ a b c a ].each { |key| once.run(key) { runs << key; key } }

    assert_equal %w[ a b c a ], runs
    assert_equal 2, once.instance_variable_get(:@entries).size
  end
end
