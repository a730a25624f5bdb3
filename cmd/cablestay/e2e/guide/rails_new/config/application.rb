# frozen_string_literal: true

require "rails"
require "active_model/railtie"
require "active_job/railtie"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "action_cable/engine"

# The guide's Gemfile.
require "redis"
require "jwt"
# What it would have one line more for. The oracle half of the suite runs the very same app without the gem.
require "cablestay" if ENV["E2E_GEM"] == "cablestay"

# The guide's config/environments/production.rb sets config.action_cable.adapter. No Rails has that setting (cable.yml names
# the adapter), so with the guide's line alone the app does not start, on stock either.
ActiveSupport.on_load(:action_cable) { singleton_class.attr_accessor :adapter }

module Myapp
  class Application < Rails::Application
    config.root = File.expand_path("..", __dir__)
    config.load_defaults 6.1
    config.eager_load = true
    config.consider_all_requests_local = false
    config.public_file_server.enabled = false
    config.active_support.deprecation = :log

    $stdout.sync = true
    config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stdout))
    config.log_level = :info

    # The guide reads credentials.secret_key_base: `rails new` makes this file, with a key of the app's own.
    config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
    ENV["RAILS_MASTER_KEY"] ||= config.secret_key_base.unpack1("H32")
    config.credentials.content_path = root.join("tmp/credentials.yml.enc")
    config.credentials.content_path.dirname.mkpath
    config.credentials.content_path.exist? || credentials.write({ "secret_key_base" => config.secret_key_base }.to_yaml)

    # What `rails db:prepare` does.
    config.after_initialize do
      ActiveRecord::Migration.suppress_messages { load root.join("db/schema.rb") }
      load root.join("db/seeds.rb") unless Rails.env.test?
    end
  end
end
