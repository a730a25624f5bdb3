# frozen_string_literal: true

module Cablestay
  # The ActionCable.server of an app: what it mounts, or itself where it runs without Rails' middleware.
  module CableServer
    def self.of(app)
      app.is_a?(ActionCable::Server::Base) ? app : ActionCable.server
    end
  end
end
