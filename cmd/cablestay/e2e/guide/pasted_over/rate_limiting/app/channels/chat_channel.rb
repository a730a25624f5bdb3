# app/channels/chat_channel.rb

class ChatChannel < ApplicationCable::Channel
  include RateLimitable

  rate_limit :send_message, limit: 30, period: 60
  rate_limit :typing, limit: 10, period: 10

  def send_message(data)
    with_rate_limit(:send_message) do
      # Message handling
    end
  end

  def typing(data)
    with_rate_limit(:typing) do
      # Typing handling
    end
  end
end
