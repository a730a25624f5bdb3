# frozen_string_literal: true

ENV["RAILS_ENV"] = "test"
require_relative "../config/environment"
require "rspec/rails"

Dir[File.join(__dir__, "support/*.rb")].sort.each { |file| require file }

RSpec.configure do |config|
  config.use_transactional_fixtures = true
  config.disable_monkey_patching!
  config.include Factories

  # Redis is this run's own: bin/specs starts it.
  config.before { $redis.flushdb }
end
