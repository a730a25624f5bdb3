# frozen_string_literal: true

# Another part of the same process, which makes channels transmit.
class RegistryMessagesController < ApplicationController
  def create
    render plain: RegistryChannel.tell(params.require(:room), params.require(:text)).to_s
  end
end
