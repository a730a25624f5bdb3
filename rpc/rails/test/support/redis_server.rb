# frozen_string_literal: true

require "tmpdir"
require_relative "free_port"

# A Redis of the tests' own, on a free port.
class RedisServer
  attr_reader :url

  def initialize
    @folder = Dir.mktmpdir("cablestay-redis")
    port, @pid = FreePort.serve do |free|
      Process.spawn("redis-server", "--port", free.to_s, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--dir", @folder, out: File::NULL, err: File::NULL)
    end
    @url = "redis://127.0.0.1:#{port}/1"
  end

  def stop
    FreePort.stop(@pid)
    FileUtils.remove_entry(@folder)
  end
end
