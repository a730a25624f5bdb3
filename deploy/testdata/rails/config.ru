# frozen_string_literal: true

# The smallest Rails app in which a proxy's mistakes show: it says what reached it of the client.

require "action_controller/railtie"
require "action_cable/engine"
require "active_job/railtie"
require "redis"
require "cablestay"

class BehindProxy < Rails::Application
  config.root = __dir__
  config.eager_load = false
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
  config.logger = ActiveSupport::Logger.new($stdout)
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :name

    def connect
      self.name = request.params[:name] || reject_unauthorized_connection
    end

    def seen
      { remote_ip: request.remote_ip, ip: request.ip, host: request.host_with_port, protocol: request.protocol }
    end
  end

  class Channel < ActionCable::Channel::Base
  end
end

class MirrorChannel < ApplicationCable::Channel
  def subscribed
    stream_from "mirror"
  end

  def seen
    transmit connection.seen
  end

  def tell(data)
    ActionCable.server.broadcast "mirror", { text: data["text"] }
  end

  def unsubscribed
    logger.info "unsubscribed: #{connection.name}"
  end
end

class MirrorsController < ActionController::Base
  def show
    render json: { remote_ip: request.remote_ip, ip: request.ip, host: request.host_with_port, protocol: request.protocol }
  end
end

BehindProxy.initialize!
BehindProxy.routes.draw { get "mirror", to: "mirrors#show" }

run BehindProxy
