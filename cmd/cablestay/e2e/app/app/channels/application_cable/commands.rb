# frozen_string_literal: true

module ApplicationCable
  # What goes on around commands, where the handshake's query asks for it.
  module Commands
    extend ActiveSupport::Concern

    class Rescued < StandardError; end

    included do
      rescue_from(Rescued) { |error| journal "rescued", text: error.message }

      if respond_to?(:before_command) # from Rails 7.1 on
        before_command { throw :abort if request.params[:commands] == "aborted" }
        before_command { journal "before_command" if request.params[:commands] }
        around_command :wrap_command
        after_command { journal "after_command" if request.params[:commands] }
      end
    end

    private
      def wrap_command
        journal "around_command begins" if request.params[:commands]
        yield
        journal "around_command ends" if request.params[:commands]
      end
  end
end
