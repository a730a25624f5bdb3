# frozen_string_literal: true

class EventThreadsTest < ActiveSupport::TestCase
  setup { @threads = Cablestay::EventThreads.new }

  test "work runs on another thread, which is used again" do
    threads = Array.new(3) { @threads.run { Thread.current } }

    assert_equal 1, threads.uniq.size
    assert_not_equal Thread.current, threads.first
  end

  test "what the work raises is raised where it is waited for" do
    error = assert_raises(NotImplementedError) { @threads.run { raise NotImplementedError, "later" } }
    assert_equal "later", error.message
    assert_equal :still_alive, @threads.run { :still_alive }
  end

  test "an event whose thread the app kills fails, and waits for nothing" do
    error = assert_raises(Cablestay::Error) { @threads.run { Thread.current.kill } }
    assert_match "killed", error.message
    assert_equal :next, @threads.run { :next }
  end

  test "work at the same time has a thread each" do
    started, go_on = Queue.new, Queue.new
    waiting = Array.new(3) { Thread.new { @threads.run { started << Thread.current; go_on.pop; Thread.current } } }
    running = Array.new(3) { started.pop }
    3.times { go_on << true }

    assert_equal 3, running.uniq.size
    assert_equal running.sort_by(&:object_id), waiting.map(&:value).sort_by(&:object_id)
  end

  test "a process that was forked has threads of its own" do
    @threads.run { }
    reader, writer = IO.pipe
    pid = fork do
      writer.write(@threads.run { "from the child" })
      writer.close
      exit!(0)
    end
    writer.close

    assert_equal "from the child", reader.read
  ensure
    Process.wait(pid)
    reader.close
  end

  test "a locale that a web request left is not seen by events" do
    I18n.available_locales |= [ :en, :de ]
    I18n.locale = :de

    assert_equal :en, @threads.run { I18n.locale }
  ensure
    I18n.locale = :en
  end
end
