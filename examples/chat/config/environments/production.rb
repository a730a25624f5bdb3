# frozen_string_literal: true

Rails.application.configure do
  config.cache_classes = true
  config.eager_load = true
  config.consider_all_requests_local = false
  config.public_file_server.enabled = true
  config.log_level = ENV.fetch("RAILS_LOG_LEVEL", "info").to_sym
  config.active_support.deprecation = :log

  if ENV["RAILS_LOG_TO_STDOUT"].present?
    config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stdout))
  end

  if (hosts = ENV["CHAT_ORIGINS"]).present?
    config.action_cable.allowed_request_origins += hosts.split(",")
  end
end
