# frozen_string_literal: true

require "minitest/autorun"
require_relative "support/redis_server"

redis = RedisServer.new
folder = Dir.mktmpdir("cablestay-dummy")
ENV["REDIS_URL"] = redis.url
ENV["DUMMY_DATABASE"] = File.join(folder, "dummy.sqlite3")
ENV.delete("CABLESTAY_SECRET")
Minitest.after_run do
  redis.stop
  FileUtils.remove_entry(folder)
end

require_relative "dummy/application"
require "active_support/test_case"
require_relative "support/bridge"
require_relative "support/log"

ActiveSupport::TestCase.test_order = :random
FIXTURES = File.expand_path("../../testdata", __dir__)
