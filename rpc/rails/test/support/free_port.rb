# frozen_string_literal: true

require "socket"

module FreePort
  def self.find
    TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  end

  # Waits until something listens there, or until +process+ (a pid) has ended.
  def self.wait_for(port, process, deadline: 30)
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + deadline
    begin
      TCPSocket.new("127.0.0.1", port).close
    rescue Errno::ECONNREFUSED
      raise "process #{process} ended before it listened" if Process.wait(process, Process::WNOHANG)
      raise "nothing listens on port #{port}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > ends

      IO.select(nil, nil, nil, 0.02)
      retry
    end
  end
end
