# frozen_string_literal: true

require "tmpdir"
require_relative "support/redis_server"

redis = RedisServer.new
folder = Dir.mktmpdir("cablestay-dummy")
pid = Process.pid
at_exit do # before Minitest, so that it comes after; also where a test can't be loaded
  next unless Process.pid == pid

  redis.stop
  FileUtils.remove_entry(folder)
end
require "minitest/autorun"

ENV["REDIS_URL"] = redis.url
ENV["DUMMY_DATABASE"] = File.join(folder, "dummy.sqlite3")
ENV.delete("CABLESTAY_SECRET")

require_relative "dummy/application"
require "active_support/test_case"
require_relative "support/bridge"
require_relative "support/log"

ActiveSupport::TestCase.test_order = :random
FIXTURES = File.expand_path("../../testdata", __dir__)
