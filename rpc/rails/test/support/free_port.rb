# frozen_string_literal: true

require "socket"

# Servers of the tests' own, on free ports.
module FreePort
  TRIES = 5

  class << self
    # Yields a free port to the block, which starts a process there and answers its pid; waits until it listens.
    # Another process may take the port first: then the next one is tried.
    def serve
      tries = 0
      begin
        port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
        pid = yield port
        wait_for(port, pid)
        [ port, pid ]
      rescue RuntimeError
        retry if (tries += 1) < TRIES
        raise
      end
    end

    # Ends the process, by force where it does not end when it is told to.
    def stop(pid)
      Process.kill("TERM", pid)
      Process.kill("KILL", pid) && Process.wait(pid) unless within(20) { Process.wait(pid, Process::WNOHANG) }
    end

    private
      def wait_for(port, pid)
        listening = within(60) do
          TCPSocket.new("127.0.0.1", port).close
          true
        rescue Errno::ECONNREFUSED
          raise "process #{pid} ended before it listened on port #{port}" if Process.wait(pid, Process::WNOHANG)
        end
        return if listening

        stop(pid)
        raise "nothing listens on port #{port}"
      end

      # Asks until the block says yes, or the time (in seconds) is over.
      def within(seconds)
        ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
        until (answer = yield)
          return if Process.clock_gettime(Process::CLOCK_MONOTONIC) > ends

          IO.select(nil, nil, nil, 0.02)
        end
        answer
      end
  end
end
