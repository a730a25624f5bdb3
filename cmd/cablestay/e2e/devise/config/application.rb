# frozen_string_literal: true

require "rails"
require "active_job/railtie" # and with it GlobalID
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "action_cable/engine"
require "devise"
require "cablestay" if ENV["E2E_GEM"] == "cablestay"

module Members
  class Application < Rails::Application
    config.root = File.expand_path("..", __dir__)
    config.load_defaults 6.1
    config.eager_load = true
    config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
    config.consider_all_requests_local = true
    config.public_file_server.enabled = false
    config.active_support.deprecation = :log

    $stdout.sync = true
    config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stdout))
    config.log_level = :debug

    # config/routes.rb mounts it itself.
    config.action_cable.mount_path = nil

    # Devise's mailer is a file without its class where there is no Action Mailer.
    Rails.autoloaders.main.ignore(Devise::Engine.root.join("app/mailers"))

    config.after_initialize do
      ActiveRecord::Migration.suppress_messages { load root.join("db/schema.rb") }
      User.create!(email: "ann@example.test", password: "let-me-in")
      User.create!(email: "bob@example.test", password: "let-me-in")
    end
  end
end
