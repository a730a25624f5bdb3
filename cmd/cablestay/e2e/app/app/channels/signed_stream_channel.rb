# frozen_string_literal: true

# What Turbo::StreamsChannel does: streams a name that only this app can have signed.
class SignedStreamChannel < ActionCable::Channel::Base
  module StreamName
    class << self
      def verifier
        @verifier ||= ActiveSupport::MessageVerifier.new(Rails.application.key_generator.generate_key("turbo/signed_stream_verifier_key"),
          digest: "SHA256", serializer: JSON)
      end
    end

    def verified_stream_name_from_params
      StreamName.verifier.verified(params[:signed_stream_name])
    end
  end

  include StreamName

  def subscribed
    if stream_name = verified_stream_name_from_params
      stream_from stream_name
    else
      reject
    end
  end
end
