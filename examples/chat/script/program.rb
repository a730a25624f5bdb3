# frozen_string_literal: true

# A program that this script started: its process, its log, its end.
class Program
  class Failed < StandardError; end

  attr_reader :name, :log

  def self.wait_until(what, within: 30, watching: [])
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + within
    until yield
      watching.each(&:check)
      raise Failed, "waited #{within} s for #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      sleep 0.05
    end
  end

  # Like system, but whoever interrupts the wait ends the command too and, in a group of its own, what it has started.
  def self.run(env, *command, pgroup: true, **options)
    pid = Process.spawn(env, *command, pgroup: pgroup, **options)
    _, status = Process.wait2(pid)
    status.success?
  rescue Errno::ENOENT
    raise Failed, "#{command.first} is not installed"
  ensure
    if pid && !status
      Process.kill("TERM", pgroup ? -pid : pid)
      Process.wait(pid)
    end
  end

  # In a process group of its own, so that Ctrl-C reaches only this script, which then stops them in order. +workers+ is
  # how the names begin that the program gives to the threads that do its work.
  def initialize(name, *command, log:, env: {}, dir: ".", workers: nil)
    @name, @log, @workers = name, log, workers
    @pid = Process.spawn(env, *command, chdir: dir, pgroup: true, in: File::NULL, out: [ log, "a" ], err: [ :child, :out ])
  rescue Errno::ENOENT
    raise Failed, "#{name}: #{command.first} is not installed"
  end

  def running?
    @status.nil? && begin
      _, @status = Process.waitpid2(@pid, Process::WNOHANG)
      @status.nil?
    end
  end

  def check
    return if running?
    raise Failed, "#{name} ended (#{describe_status}); the end of #{log}:\n#{tail}"
  end

  # True if it ended by itself when asked to, or had at least done all its work by then.
  def stop(within: 20)
    return true unless running?

    worked = working?
    Process.kill("TERM", @pid)
    self.class.wait_until("#{name} to stop", within: within) { !running? }
    true
  rescue Failed
    done = worked && !working?
    warn "#{name} did not stop within #{within} s#{", though its work was done," if done} and was killed; see #{log}"
    done
  ensure
    kill_group
    Process.wait(@pid) if running?
  end

  private
    def working?
      @workers && Dir["/proc/#{@pid}/task/*/comm"].any? { |file| File.read(file).start_with?(@workers) }
    rescue Errno::ENOENT, Errno::ESRCH # a thread that has just ended
      retry
    end

    # What the program itself may have left.
    def kill_group
      Process.kill("KILL", -@pid)
    rescue Errno::ESRCH, Errno::EPERM
      nil
    end

    def describe_status
      @status.signaled? ? "signal #{@status.termsig}" : "exit #{@status.exitstatus}"
    end

    def tail
      File.readlines(log).last(15).map { |line| "  #{line}" }.join
    end
end
