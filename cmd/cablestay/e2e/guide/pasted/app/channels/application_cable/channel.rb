# app/channels/application_cable/channel.rb

module ApplicationCable
  class Channel < ActionCable::Channel::Base
    # Rescue from errors to prevent connection termination
    rescue_from StandardError, with: :handle_error

    private

    def handle_error(exception)
      Rails.logger.error("Channel error: #{exception.message}")
      Rails.logger.error(exception.backtrace.first(10).join("\n"))
      
      # Notify error tracking service
      Sentry.capture_exception(exception) if defined?(Sentry)
      
      # Optionally notify the client
      transmit(error: 'An error occurred processing your request')
    end
  end
end
