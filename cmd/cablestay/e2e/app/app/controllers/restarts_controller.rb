# frozen_string_literal: true

class RestartsController < ApplicationController
  def create
    ActionCable.server.restart
    head :no_content
  end
end
