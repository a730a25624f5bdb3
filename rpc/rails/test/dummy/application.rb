# frozen_string_literal: true

# The app of these tests, whole in one file. It knows nothing of Cablestay but the line that requires it.
ENV["RAILS_ENV"] ||= "production"
require "logger"
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_cable/engine"
require_relative "../seams/#{ENV["CABLESTAY_SEAM"]}" if ENV["CABLESTAY_SEAM"]
require "cablestay"

class Dummy < Rails::Application
  config.root = File.expand_path(__dir__)
  config.load_defaults Rails::VERSION::STRING.to_f # as in an app that is new to this Rails
  config.cache_classes = true
  config.eager_load = false
  config.secret_key_base = "5" * 64
  config.consider_all_requests_local = false
  config.log_level = :debug
  config.logger = ActiveSupport::TaggedLogging.new(Logger.new(ENV.fetch("DUMMY_LOG", File::NULL)))
  config.session_store :cookie_store, key: "_dummy_session"
  config.action_cable.log_tags = [ :dummy ]
  config.filter_parameters += [ :token ]
  config.active_record.legacy_connection_handling = false if config.active_record.respond_to?(:legacy_connection_handling) && ActiveRecord.version < Gem::Version.new("7.1")
  config.active_record.marshalling_format_version = ENV["DUMMY_MARSHALLING"].to_f if ENV["DUMMY_MARSHALLING"]
  config.hosts.clear

  # As Warden does: an object in env that works as long as the connection lives.
  class Doorman
    Proxy = Struct.new(:env) do
      def user
        env["rack.session"]["warden_user"] || env["HTTP_X_WARDEN"]
      end
    end

    # What a test does in its place.
    class << self
      attr_accessor :around
    end

    def initialize(app)
      @app = app
    end

    def call(env)
      env["warden"] = Proxy.new(env)
      Doorman.around&.call(env)
      Thread.current[:left_by_middleware] = true
      return [ 302, { "location" => "https://elsewhere.test/", "set-cookie" => "a=1" }, [ "moved" ] ] if env["QUERY_STRING"].include?("redirect")
      raise "a middleware that fails" if env["QUERY_STRING"].include?("explode")

      @app.call(env)
    end
  end
  config.middleware.use Doorman
end

require_relative "channels"

Dummy.initialize!
Dummy.routes.draw do
  mount ActionCable.server => "/t/:tenant/cable"
  get "/" => ->(_) { [ 200, { "content-type" => "text/plain" }, [ "dummy" ] ] }
end
