# frozen_string_literal: true

require "active_support/tagged_logging"

module Cablestay
  # What all events of this process share.
  class << self
    # Remembered ids of events that must not run twice, and their answers.
    ONCE = 1_000

    def once
      @once ||= Once.new(ONCE)
    end

    def event_threads
      @event_threads ||= EventThreads.new
    end

    def logger
      @logger ||= PrefixedLogger.new
    end

    def log_exception(what, error)
      logger.error("#{what}: #{error.class}: #{error.message}\n#{Array(error.backtrace).join("\n")}")
    end

    # For what is so each time: said once for each +subject+ in the life of the process.
    def warn_once(subject, message)
      @warned ||= Concurrent::Map.new
      logger.warn("#{subject}: #{message}") if @warned.put_if_absent(subject, true).nil?
    end

    def instrument(event, **payload, &block)
      ActiveSupport::Notifications.instrument("#{event}.cablestay", payload, &block)
    end

    # One execution of the app: its query cache, its database connections, its CurrentAttributes, and in
    # development its newest code.
    def execution(&block)
      rails = defined?(Rails.application) && Rails.application
      rails ? rails.reloader.wrap(&block) : yield
    end

    def env_config
      defined?(Rails.application) && Rails.application ? Rails.application.env_config : {}
    end
  end

  # Writes to Action Cable's own logger, each line with our name.
  class PrefixedLogger
    %i[ debug info warn error ].each do |severity|
      define_method(severity) do |message|
        ActionCable.server.logger&.public_send(severity, "[Cablestay] #{message}")
      end
    end
  end
end
