# frozen_string_literal: true

require_relative "boot"

require "rails"
require "active_model/railtie"
require "active_job/railtie"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "action_cable/engine"

Gems.require_all(*Rails.groups)

require_relative "../lib/action_cable_metrics"

module Chat
  class Application < Rails::Application
    # The defaults of the oldest Rails that this app runs on.
    config.load_defaults 6.1

    config.filter_parameters += [ :password, :token ]
    config.active_job.queue_adapter = ENV.fetch("CHAT_QUEUE_ADAPTER", "async").to_sym
    config.active_record.dump_schema_after_migration = false
    config.action_dispatch.cookies_serializer = :json

    # Where browsers find the cable. Without CABLE_URL it is Puma's own /cable.
    config.action_cable.url = ENV["CABLE_URL"].presence

    # The pages that may open a socket: this machine by name, by address, and the office network.
    port = ENV.fetch("PORT", 3000)
    config.action_cable.allowed_request_origins = [
      "http://localhost:#{port}",
      "http://127.0.0.1:#{port}",
      %r{\Ahttp://192\.168\.0\.\d{1,3}:#{port}\z}
    ]

    config.middleware.use ActionCableMetrics
  end
end
