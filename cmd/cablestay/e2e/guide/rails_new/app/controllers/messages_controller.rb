# frozen_string_literal: true

# The guide's message broadcasts by itself what becomes of it.
class MessagesController < ApplicationController
  def update
    Message.find(params[:id]).update!(content: params.require(:content))
    head :no_content
  end

  def destroy
    Message.find(params[:id]).destroy!
    head :no_content
  end
end
