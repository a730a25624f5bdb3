# frozen_string_literal: true

require "rails"
require "action_controller/railtie"
require "active_job/railtie"
require "action_cable/engine"
require_relative "../app/middleware/gatekeeper"

# What a Gemfile would do. The oracle half of the suite runs the very same app without the gem.
require "cablestay" if ENV["E2E_GEM"] == "cablestay"

module EndToEnd
  class Application < Rails::Application
    config.root = File.expand_path("..", __dir__)
    config.load_defaults 6.1
    config.eager_load = true
    config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
    config.consider_all_requests_local = true
    config.public_file_server.enabled = false
    config.middleware.use Gatekeeper

    $stdout.sync = true
    config.log_level = :debug
    config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stdout))

    config.filter_parameters = [ :password ]

    config.active_job.queue_adapter = :async

    config.action_cable.log_tags = [ :action_cable, ->(request) { "device=#{request.params[:device]}" } ]
    config.action_cable.allowed_request_origins = [ "http://allowed.test", %r{\Ahttps?://[a-z]+\.allowed\.test\z},
      ->(origin) { origin.to_s.start_with?("app://") } ]

    config.cablestay.at_hand = Integer(ENV["CABLESTAY_E2E_AT_HAND"]) if ENV["CABLESTAY_E2E_AT_HAND"] && ENV["E2E_GEM"] == "cablestay"

    # What a scenario wants configured otherwise.
    if configuration = ENV["E2E_CONFIGURATION"]
      instance_eval File.read(root.join("config/configurations/#{configuration}.rb"))
    end
  end
end
