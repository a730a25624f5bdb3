# frozen_string_literal: true

# A small app with tests of its own. test_helpers_test.rb runs them without the gem and with it: what an app's developers
# test with must not change.
ENV["RAILS_ENV"] = "test"
require "logger"
require "rails"
require "action_controller/railtie"
require "action_cable/engine"
require "cablestay" if ENV["APP_TESTS_GEM"]

class Diary < Rails::Application
  config.root = __dir__
  config.load_defaults 6.1
  config.eager_load = false
  config.secret_key_base = "d" * 64
  config.logger = Logger.new(File::NULL)
  config.active_support.deprecation = :silence
  config.action_dispatch.cookies_serializer = :json
  config.action_controller.allow_forgery_protection = false
  config.hosts.clear
end

# config/cable.yml of any app.
ActiveSupport.on_load(:action_cable) { self.cable = { "adapter" => "test" } }

User = Struct.new(:id, :name) do
  def to_gid_param
    "user-#{id}"
  end
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :current_user

    rescue_from(ArgumentError) { |error| @rescued = error.message }

    def connect
      id = cookies.signed[:user_id] || cookies.encrypted[:user_id] || request.session[:user_id] || request.params[:user_id] ||
        request.headers["X-User"] || env["diary.user"]
      self.current_user = id ? User.new(id.to_i, "user #{id}") : reject_unauthorized_connection
    end

    def disconnect
      self.class.left << current_user.id
    end

    def self.left
      @left ||= []
    end
  end

  class Channel < ActionCable::Channel::Base
  end
end

class PageChannel < ApplicationCable::Channel
  periodically :remind, every: 0.01

  before_subscribe { transmit({ step: "before" }) if params[:steps] }
  after_unsubscribe { self.class.ended << params[:page] }

  def subscribed
    return reject unless params[:page]

    @page = params[:page]
    stream_from "page_#{@page}"
    stream_for current_user if params[:mine]
    stream_from("notes", coder: ActiveSupport::JSON) { |note| transmit(note) } if params[:notes]
    transmit({ opened: @page }) if params[:steps]
  end

  def write(data)
    @lines = @lines.to_a + [ data["text"] ]
    transmit({ lines: @lines })
    ActionCable.server.broadcast("page_#{@page}", { by: current_user.name, text: data["text"] })
    self.class.broadcast_to(current_user, { written: data["text"] })
  end

  def receive(data)
    transmit({ received: data["text"] })
  end

  def turn(data)
    stop_all_streams
    stream_from "page_#{data["page"]}"
  end

  def leave
    connection.close(reason: "left", reconnect: false)
  end

  def remind
    transmit({ remember: @page })
  end

  def self.ended
    @ended ||= []
  end
end

# Sees each frame before it leaves.
class LoudChannel < ApplicationCable::Channel
  def subscribed
    stream_from "loud"
  end

  def say(data)
    transmit({ text: data["text"] })
  end

  private
    def transmit(data, via: nil)
      super(data.transform_values { |value| value.to_s.upcase }, via: via)
    end
end

class NotesController < ActionController::Base
  def create
    ActionCable.server.broadcast("notes", { text: params[:text] })
    head :no_content
  end
end

Diary.initialize!
Diary.routes.draw { resources :notes, only: :create }
