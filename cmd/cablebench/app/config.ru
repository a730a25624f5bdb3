# frozen_string_literal: true

# The app that is measured: one channel that streams from what it is asked for, and echoes. With CABLESTAY_GEM, the gem's
# folder, it is an app with cablestay in its Gemfile; without, stock Action Cable.
ENV["RAILS_ENV"] = "production"

require "rails"
require "action_controller/railtie"
require "action_cable/engine"

if (gem_folder = ENV["CABLESTAY_GEM"])
  $LOAD_PATH.unshift(File.join(gem_folder, "lib"))
  require "cablestay"
end

class BenchApp < Rails::Application
  config.root = ENV.fetch("BENCH_FOLDER")
  config.eager_load = config.cache_classes = true
  config.secret_key_base = "bench" * 20
  config.logger = Logger.new($stderr, level: Logger::WARN)
  config.log_level = :warn
  config.hosts.clear
  config.session_store :cookie_store, key: "_bench_session"
  config.action_cable.disable_request_forgery_protection = true
  config.action_cable.mount_path = "/cable"
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :visitor

    def connect
      self.visitor = "visitor #{cookies["visitor"]}"
    end
  end

  class Channel < ActionCable::Channel::Base
  end
end

class BenchChannel < ApplicationCable::Channel
  def subscribed
    @joined_at = Time.now
    sleep params[:wait] / 1000.0 if params[:wait] # as for a database
    stream_from params[:stream]
  end

  def echo(data)
    transmit(data)
  end
end

BenchApp.initialize!
ActionCable.server.config.cable = { "adapter" => "redis", "url" => ENV.fetch("REDIS_URL") }
run BenchApp
