# frozen_string_literal: true

module ApplicationCable
  class Channel < ActionCable::Channel::Base
    # An action that fails tells its client; the connection and the subscription live on.
    rescue_from StandardError, with: :report_error
    rescue_from ActiveRecord::RecordNotFound, with: :report_not_found

    private
      def report_error(exception)
        logger.error "#{self.class.name}: #{exception.class}: #{exception.message}"
        logger.error exception.backtrace.first(10).join("\n") if exception.backtrace
        # To whatever error service has subscribed there, from Rails 7 on.
        Rails.error.report(exception, handled: true) if Rails.respond_to?(:error)
        transmit_error "Something went wrong with your request"
      end

      def report_not_found(exception)
        transmit_error "#{exception.model || "Record"} not found"
      end

      def transmit_error(message, **details)
        transmit({ type: "error", error: message, **details })
      end
  end
end
