# frozen_string_literal: true

class LiveJobsTest < ActiveSupport::TestCase
  setup { @jobs = Cablestay::Live::Jobs.new }

  test "at most as many run at a time as Action Cable's worker pool would" do
    size = ActionCable.server.config.worker_pool_size
    begun, go_on = Queue.new, Queue.new
    (size + 2).times { @jobs.post { begun << true; go_on.pop } }
    size.times { begun.pop }

    assert_raises(ThreadError) { 20.times { Thread.pass; begun.pop(true) } }
    (size + 2).times { go_on << true }
    2.times { begun.pop }
  end

  test "what runs on a thread of its own counts, and is refused where as many run" do
    size = ActionCable.server.config.worker_pool_size
    begun, go_on, done = Queue.new, Queue.new, Queue.new
    readers = Array.new(size) { Thread.new { @jobs.here { begun << true; go_on.pop } } }
    size.times { begun.pop }
    size.times { @jobs.post { done << true } }

    assert_equal false, @jobs.here { flunk "there is no room" }
    assert_raises(ThreadError) { 20.times { Thread.pass; done.pop(true) } }
    go_on.close
    assert_equal [ true ] * size, readers.map(&:value)
    size.times { done.pop }
    assert @jobs.here { done << true }
  end

  test "jobs of a line keep their order, beside those of other lines" do
    done = Queue.new
    lines = Array.new(3) { @jobs.line }
    50.times { |n| lines.each_with_index { |line, l| line.post { done << [ l, n ] } } }
    order = Array.new(150) { done.pop }

    3.times { |l| assert_equal (0...50).to_a, order.filter_map { |line, n| n if line == l } }
  end

  test "a job that raises is logged, and the next one runs" do
    done = Queue.new
    line = @jobs.line
    log = Log.of do
      line.post { raise NotImplementedError, "not this one" }
      line.post { done << true }
      done.pop
    end

    assert_includes log, "what a link or a stream brought raised: NotImplementedError: not this one"
  end

  test "a process that was forked has threads of its own" do
    done = Queue.new
    @jobs.post { done << true }
    done.pop
    reader, writer = IO.pipe
    pid = fork do
      @jobs.post { writer.write("from the child"); exit!(0) }
      sleep
    end
    writer.close

    assert_equal "from the child", reader.read
  ensure
    Process.wait(pid)
    reader.close
  end
end
