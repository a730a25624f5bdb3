# frozen_string_literal: true

require "active_support/log_subscriber"

module Cablestay
  # One debug line for each event that was answered, to Action Cable's logger.
  class LogSubscriber < ActiveSupport::LogSubscriber
    Endpoint::EVENTS.each_key do |name|
      define_method(name) do |event|
        Cablestay.logger.debug("answered #{name} #{event.payload[:id]} in #{event.duration.round(1)} ms")
      end
    end

    def logger
      ActionCable.server.logger
    end

    attach_to :cablestay
  end
end
