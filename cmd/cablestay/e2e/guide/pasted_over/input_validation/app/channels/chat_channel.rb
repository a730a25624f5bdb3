# app/channels/chat_channel.rb

class ChatChannel < ApplicationCable::Channel
  include Validatable

  MESSAGE_SCHEMA = {
    content: { required: true, type: String, max_length: 10_000 },
    type: { allowed_values: %w[text image file] }
  }.freeze

  def send_message(data)
    return unless validate_params(data, MESSAGE_SCHEMA)
    
    # Process validated message
  end
end
