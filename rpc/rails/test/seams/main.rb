# frozen_string_literal: true

# Gives the Action Cable that is installed the shape of Rails' main branch (8.2.0.alpha): a connection that knows nothing of its
# transport, and a socket that holds it. Only that shape and what main does otherwise is written here, from the seam's
# description; the rest (frames, callbacks, adapters, the WebSocket itself) is the installed version's own code. To be loaded
# before the app, and before the gem.
require "action_cable"
require "active_support/core_ext/kernel/reporting"

module Seams
  # What has to be there before the rest can be said.
  module Main
    PARTS = %w[ server/threaded_executor server/base server/connections server/socket connection/base connection/subscriptions
      connection/internal_channel channel/base channel/streams channel/periodic_timers subscription_adapter test_case ].freeze

    class << self
      def shape
        move_logger
        ActionCable::INTERNAL[:disconnect_reasons][:remote] ||= "remote" # Rails >= 7.1
        silence_warnings { PARTS.each { |part| require_relative "main/action_cable/#{part}" } }
      end

      # Takes away what a file of the installed version defines in a class of its own, so that nothing can lean on it.
      def forget(type, file)
        names = type.instance_methods(false) + type.private_instance_methods(false)
        names.each do |name|
          path, = type.instance_method(name).source_location
          type.send(:remove_method, name) if path&.end_with?("/action_cable/#{file}") && name != :initialize
        end
      end

      private
        def move_logger
          logger = ActionCable::Connection::TaggedLoggerProxy
          ActionCable::Connection.send(:remove_const, :TaggedLoggerProxy)
          ActionCable::Server.const_set(:TaggedLoggerProxy, logger.dup) # a copy, which knows its new name
        end
    end
  end
end

Seams::Main.shape
