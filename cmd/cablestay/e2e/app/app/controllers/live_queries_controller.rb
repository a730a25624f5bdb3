# frozen_string_literal: true

class LiveQueriesController < ApplicationController
  def create
    LiveQueries.trigger(params.require(:topic), { "text" => params.require(:text) })
    head :no_content
  end
end
