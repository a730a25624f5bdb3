# frozen_string_literal: true

require "active_support/tagged_logging"
require "concurrent/map"

module Cablestay
  # How many ids of events that must not run twice are remembered, with their answers.
  ONCE = 1_000

  # What all events of this process share.
  class << self
    attr_reader :once, :event_threads, :request_threads, :logger

    def log_exception(what, error)
      logger.error("#{what}: #{error.class}: #{error.message}\n#{Array(error.backtrace).join("\n")}")
    end

    # For what is so each time: said once for each +subject+ in the life of the process.
    def warn_once(subject, message)
      logger.warn("#{subject}: #{message}") if @warned.put_if_absent(subject, true).nil?
    end

    # An event is a notification, and a line in the debug log.
    def instrument(event, id, &block)
      began = ::Process.clock_gettime(::Process::CLOCK_MONOTONIC, :float_millisecond) if logger.debug?
      ActiveSupport::Notifications.instrument("#{event}.cablestay", { id: id }, &block)
    ensure
      logger.debug("answered #{event} #{id} in #{(::Process.clock_gettime(::Process::CLOCK_MONOTONIC, :float_millisecond) - began).round(1)} ms") if began
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
    def debug?
      ActionCable.server.logger&.debug?
    end

    %i[ debug info warn error ].each do |severity|
      define_method(severity) do |message|
        ActionCable.server.logger&.public_send(severity, "[Cablestay] #{message}")
      end
    end
  end

  @once = Once.new(ONCE)
  @event_threads = EventThreads.new
  @request_threads = EventThreads.new(:cablestay_request_thread, name: "cablestay request") # for handshakes that come along links
  @logger = PrefixedLogger.new
  @warned = Concurrent::Map.new
end
