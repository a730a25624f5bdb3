# frozen_string_literal: true

# Keeps a list, in the process, of those who are there; whoever runs in that process may talk to them.
class RegistryChannel < ApplicationCable::Channel
  REGISTRY = Concurrent::Array.new

  class << self
    def tell(room, text)
      REGISTRY.select { |channel| channel.params[:room] == room }.each { |channel| channel.tell(text) }.size
    end

    def size(room)
      REGISTRY.count { |channel| channel.params[:room] == room }
    end
  end

  def subscribed
    REGISTRY << self
  end

  def unsubscribed
    REGISTRY.delete(self)
    journal "unsubscribed", left: self.class.size(params[:room])
  end

  def tell(text)
    transmit({ told: text, size: self.class.size(params[:room]) })
  end
end
